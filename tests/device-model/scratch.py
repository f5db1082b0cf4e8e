# SPDX-License-Identifier: GPL-2.0-or-later
"""The folder that a test program works in, under a name that is short enough for sockets."""
import atexit
import os
import shutil
import tempfile

# A socket's path has 107 characters (unix(7)); names in the folder take up to 40.
LONGEST = 60


def folder(path):
    """The folder's absolute path; where it is long, that of a link to it in the system's temporary folder."""
    path = os.path.abspath(path)
    os.makedirs(path, exist_ok=True)
    if len(path) <= LONGEST:
        return path
    at = tempfile.mkdtemp(prefix="plinth-")
    atexit.register(shutil.rmtree, at, True)
    link = os.path.join(at, "w")
    os.symlink(path, link)
    return link
