//! Traces and logs: start-up, context across mailboxes, shutdown.
