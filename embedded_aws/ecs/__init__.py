"""Amazon ECS: our scheduler and task life cycle over ministack's records of clusters, services and tasks."""
