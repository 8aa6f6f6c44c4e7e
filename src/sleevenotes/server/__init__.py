"""What every page and API of one server is made of: dialects, sessions, pages, images, live updates."""
