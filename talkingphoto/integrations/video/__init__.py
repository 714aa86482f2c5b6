"""Engines that make a photo speak, behind one port."""
