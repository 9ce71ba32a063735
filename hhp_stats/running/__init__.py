"""Which studies must run again, and running them: their results go where the chapters read them."""
