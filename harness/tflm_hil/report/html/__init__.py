"""report.html: one file that shows a `Results`. Python draws all of it, charts too; scripts only filter and sort."""
