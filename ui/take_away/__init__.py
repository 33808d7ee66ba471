"""The panel “Take it away” of several pages: a view as files, as a link, and as Python."""
