"""What several pages share: colours, charts, tokens, examples, links, loaded models, running jobs."""
