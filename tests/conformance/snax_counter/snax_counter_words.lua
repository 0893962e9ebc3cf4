-- A module that only the service snax_counter finds.
return { greeting = "hello" }
