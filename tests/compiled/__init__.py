"""learnsvc with its analysis compiled, as the image has it: says the same, and keeps the same promises."""
