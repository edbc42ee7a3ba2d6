"""The live feed: one reader of the event log, fanned out to every open page; figures by the minute."""
