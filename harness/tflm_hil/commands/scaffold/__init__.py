"""A new project, or what makes a project of a repository that is there: `hil new` and `hil init`."""
