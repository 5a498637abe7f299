"""Models on frozen inputs."""
