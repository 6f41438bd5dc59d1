SELECT max(seq) FROM order_event
WHERE run_id = {run:String} AND account = {account:String}
