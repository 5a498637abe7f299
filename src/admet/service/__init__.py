"""A trained model behind HTTP: a page, a JSON interface, files in and out.

The process that listens reads no molecule and no table: it checks requests, queues them and passes
answers on. Processes of its own (`worker`) hold the model and do what `admet predict` does, so that
a molecule that brings one down costs a restart, and no caller an answer.
"""
