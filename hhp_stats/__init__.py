"""Statistical reports of the Happier, Healthier Professionals trials."""

__version__ = "0.1.0"
