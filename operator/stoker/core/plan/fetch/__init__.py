"""How weights come to a volume: a job looks at the source, a claim is made, a job fetches. Decisions only."""
