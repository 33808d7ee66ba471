"""Which packages an installation gets; everything else about the project is in pyproject.toml.

The shipped models and the assets that the core reads become part of the package (`lstm_core/paths.py`).
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["lstm_core", "lstm_core.*"]), "lstm_core._models", "lstm_core._assets"],
    package_dir={"lstm_core._models": "models", "lstm_core._assets": "assets"},
    include_package_data=False,
    package_data={
        "lstm_core": ["py.typed"],
        "lstm_core._models": ["*/*.keras", "*/*.json"],
        "lstm_core._assets": ["lessons.json", "memory_gym.json", "*.toml", "gradient_lab/*.npz", "microscope/*"],
    },
)
