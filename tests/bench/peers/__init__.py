"""What a competent user would write instead, a script for each library."""
