"""`python -m colab_gen` is the command colab-gen."""

from colab_gen.cli import main

main()
