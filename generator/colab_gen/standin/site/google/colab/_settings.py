"""What the stand-in is told about this run; Google's package has nothing like it."""

__all__ = ["settings"]

# patience: the part of each deadline that is waited for; mount: the fault of mounting Drive;
# files: name -> value of the faults of files on it; credentials: a file that consent makes;
# fuse: a file system of our own can be mounted.
settings = {"patience": 1, "mount": "", "files": {}, "credentials": "", "fuse": False}
