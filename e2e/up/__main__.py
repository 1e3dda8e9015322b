from e2e.up.cli import main

raise SystemExit(main())
