import os

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # as functions have it: threads that wait for each other do not spin
