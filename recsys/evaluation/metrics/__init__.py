"""Metrics of ranked lists, one registered function a measure, found by the files of this folder.

A metric is a function of `Lists`. One that gives an array has a value for every user, so that comparisons can be
paired; one that gives a number measures all lists together.
"""
