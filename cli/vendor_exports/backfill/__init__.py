"""Back-filling: slots that another bucket has and the lake lacks."""
