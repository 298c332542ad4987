"""Parts of observability that pipelines use: metrics, alarms, widgets, saved queries; messages to people."""
