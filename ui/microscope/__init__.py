"""The cell microscope: what lies under it, the bytes that are sent, the component that shows them, and the words."""
