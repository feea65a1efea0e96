"""Files that come with the package; links into resources/ecs_pipeline, where the Jenkins library has them."""
