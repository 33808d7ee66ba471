"""What pages share: colours, charts, panels, and the models that are loaded once for everybody."""
