"""The parts of the API that other servers answer for: APIServices that name a Service, and what is asked of those."""
