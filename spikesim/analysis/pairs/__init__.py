"""What trains have to do with each other: lags, correlations, distances, spectra, surrogates."""
