"""Which packages an installation gets; everything else about the project is in pyproject.toml.

The shipped models, the lessons and the assets that the core reads become part of the package (`lstm_core/paths.py`).
"""

from setuptools import find_packages, setup

SHIPPED = ("models", "assets", "lessons")
setup(
    packages=[*find_packages(include=["lstm_core", "lstm_core.*"]), *(f"lstm_core._{name}" for name in SHIPPED)],
    package_dir={f"lstm_core._{name}": name for name in SHIPPED},
    include_package_data=False,
    package_data={
        "lstm_core": ["py.typed"],
        "lstm_core._models": ["*/*.keras", "*/*.json"],
        "lstm_core._assets": [
            "lessons.json",
            "memory_gym.json",
            "*.toml",
            "handout.typ",
            "gradient_lab/*.npz",
            "microscope/*",
        ],
        "lstm_core._lessons": ["*.toml"],
    },
)
