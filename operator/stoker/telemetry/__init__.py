"""What the operator tells of itself and of the models: metrics, rules, alerts, dashboards, whom a log line is about."""
