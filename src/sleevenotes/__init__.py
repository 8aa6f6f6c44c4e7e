"""Sleevenotes: a scrobble server that gives every play its recording, album, artists and cover art."""
