"""`sluice`: the operator's and the newcomer's command, for the local cloud and for every deployed stage."""
