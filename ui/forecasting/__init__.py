"""The page “Forecasting”: series, forecasts, and how far to trust them."""
