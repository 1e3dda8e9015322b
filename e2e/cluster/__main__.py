from e2e.cluster.cli import main

raise SystemExit(main())
