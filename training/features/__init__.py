"""Features as files: for pandas, for programs of others, and to be looked at."""
