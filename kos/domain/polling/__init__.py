"""What is asked of the feeds, and when: credits, caches, proxies."""
