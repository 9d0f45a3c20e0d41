"""``python -m backends_matrix`` is the command ``portable``."""

from backends_matrix.entry import main

if __name__ == "__main__":
    main()
