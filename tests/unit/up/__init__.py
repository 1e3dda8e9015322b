"""`make up` where no cluster is needed: what it refuses, what it prints, what it makes of answers."""
