"""Recomputation: do printed figures follow from each other, and do the methods give outside numbers?"""
