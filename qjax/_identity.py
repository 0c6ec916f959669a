"""Which distribution this import name belongs to.

The name `qjax` on the public registry is an unrelated project whose package is also
called `qjax`. The two overwrite each other's files, so they cannot share an
environment; this simulator is distributed as `qjax-simulator`.
"""

import importlib.metadata

DISTRIBUTION = "qjax-simulator"
_RIVAL = "qjax"


def check_distribution() -> None:
    """Refuse to be imported beside the unrelated distribution named `qjax`.

    Raises:
        ImportError: If a distribution named `qjax` is installed that brings its own
            top-level package `qjax`.

    >>> from qjax._identity import check_distribution
    >>> check_distribution()
    """
    try:
        rival = importlib.metadata.distribution(_RIVAL)
    except importlib.metadata.PackageNotFoundError:
        return
    # Without a file list nothing shows that the name is used for something else.
    files = rival.files
    if files is None or any(file.parts[0] == _RIVAL for file in files):
        raise ImportError(
            f"The distribution `{_RIVAL}` {rival.version} is an unrelated project that "
            f"installs files under the same import name: run `pip uninstall {_RIVAL}` "
            f"and then `pip install --force-reinstall --no-deps {DISTRIBUTION}`."
        )
