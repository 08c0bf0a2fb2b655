"""One night in three verbs: collect the sources, judge the fleet, publish what was found."""
