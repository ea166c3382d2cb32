# quorate-node: the composition root and its commands.
