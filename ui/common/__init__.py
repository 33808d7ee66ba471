"""Parts that several pages share: colours, charts, tinted texts, examples, links, loaded models, background jobs."""
