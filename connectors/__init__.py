"""One file per MDM: its pages in, device records out. A file without a leading underscore is one kind of source."""
