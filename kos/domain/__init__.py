"""Pure betting knowledge: values in, values out; no clock, no I/O, no actors."""
