"""The only SQLAlchemy in the project: what was collected, what was judged, and what came of it, night by night.

Time is kept by reference, not by copy. Slowly changing signals have one row per change, valid from one collection
to another; fast ones have one narrow row per device and collection; a finding has one row per change of its life.
So the database grows with what happens, and any past night can be read as it stood.
"""
