"""The apps Daybook is compared with, written as a good team would have written them without an event log."""
