"""One file or folder per report format. A format turns one run and its devices into files of one directory."""
