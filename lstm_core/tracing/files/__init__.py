"""The containers in which Keras and PyTorch store arrays: read with their sizes checked, never unpickled."""
