"""The HTTP surface: takes requests apart, asks the rooms, writes answers; decides nothing."""
