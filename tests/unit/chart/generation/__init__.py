"""What is generated into the chart: the definition, the rules, the schema of the values, the README."""
